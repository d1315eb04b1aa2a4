(class_definition name: (_) @name body: (_) @body) @class
(class_definition name: (_) @name !body) @class
(object_definition name: (_) @name) @class
(package_object name: (_) @name) @class
(trait_definition name: (_) @name) @trait
(enum_definition name: (_) @name) @enum
(extension_definition (parameters . (parameter type: [(type_identifier) (generic_type)] @receiver)) . (parameters)* . (function_definition name: (_) @name body: (_) @body) @function . [(comment) (block_comment)]* .)
(function_definition name: (_) @name body: (_) @body) @function
(given_definition name: (_) @name) @class
(given_definition !name return_type: (_) @given) @class
(extension_definition (parameters . (parameter type: [(type_identifier) @name (generic_type type: (type_identifier) @name)])) [(comment) (block_comment) (function_definition)] (function_definition)) @scope
(extension_definition (parameters . (parameter type: [(type_identifier) @name (generic_type type: (type_identifier) @name)])) body: (template_body)) @scope
(extension_definition (parameters) . (function_definition) @wrapped . [(comment) (block_comment)]* .) @wrap
(val_definition pattern: (identifier) @name value: (instance_expression (template_body))) @scope
(val_definition pattern: (identifier) @name value: (lambda_expression) @body) @lambda
(annotation) @attribute
