; inherits: c
(class_specifier name: (_) @name body: (_) @body) @class
(namespace_definition name: (_) @name body: (_)) @scope
(concept_definition name: (_) @name "=" @body) @interface
(function_definition declarator: (reference_declarator) @name body: (_) @body) @function
(function_definition declarator: (function_declarator declarator: (_) @name) (try_statement) @body) @function
(function_definition declarator: (qualified_identifier) @name body: (_) @body) @function
(function_definition declarator: (operator_cast) @name body: (_) @body) @function
(init_declarator declarator: (identifier) @name value: (lambda_expression body: (_) @body)) @lambda
(template_declaration [(template_declaration) (function_definition) (class_specifier) (struct_specifier) (union_specifier) (concept_definition) (declaration)] @wrapped) @wrap
(declaration type: (class_specifier body: (_)) @wrapped) @wrap
(declaration . type: (_) . declarator: (init_declarator value: (lambda_expression)) @wrapped .) @wrap
(friend_declaration (_) @wrapped) @wrap
(attribute_declaration) @attribute
