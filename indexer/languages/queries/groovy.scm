(class_declaration name: (_) @name body: (_) @body) @class
(interface_declaration name: (_) @name body: (_) @body) @interface
(enum_declaration name: (_) @name body: (_) @body) @enum
(method_declaration name: (_) @name body: (_) @body) @method
(constructor_declaration name: (_) @name body: (_) @body) @constructor
(function_definition name: (_) @name body: (_) @body) @function
(local_variable_declaration declarator: (variable_declarator name: (_) @name value: (closure) @body)) @lambda
(field_declaration declarator: (variable_declarator name: (_) @name value: (closure) @body)) @lambda
(modifiers [(annotation) (marker_annotation)] @attribute)
