(class_definition name: (identifier) @name body: (block) @body) @class
(function_definition name: (identifier) @name body: (block) @body) @function
(assignment left: (identifier) @name right: (lambda body: (_) @body)) @lambda

(decorated_definition definition: (_) @wrapped) @wrap
(decorator) @attribute
(expression_statement . (assignment right: (lambda)) @wrapped .) @wrap

(module . (comment)* . (expression_statement . (string) @doc .))
(class_definition body: (block . (expression_statement . (string) @doc .)))
(function_definition body: (block . (expression_statement . (string) @doc .)))
