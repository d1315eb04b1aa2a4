(class_definition name: (_) @name) @class
(function_definition name: (_) @name (block)? @body) @function
(function_definition name: (_) . (function_arguments)? . (comment) @doc)
(class_definition name: (_) . (superclasses)? . (comment) @doc)
(assignment left: (identifier) @name right: (lambda expression: (_) @body)) @lambda
