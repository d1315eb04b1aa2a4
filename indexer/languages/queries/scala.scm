(class_definition name: (_) @name body: (_) @body) @class
(class_definition name: (_) @name !body) @class
(object_definition name: (_) @name) @class
(trait_definition name: (_) @name) @trait
(enum_definition name: (_) @name) @enum
(function_definition name: (_) @name body: (_) @body) @function
(given_definition name: (_) @name) @class
(extension_definition) @scope
(val_definition pattern: (identifier) @name value: (lambda_expression) @body) @lambda
(annotation) @attribute
