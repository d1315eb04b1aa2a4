; inherits: c
(class_interface . (identifier) @name category: (_) @category) @interface
(class_interface . (identifier) @name) @interface
(class_implementation . (identifier) @name category: (_) @category) @class
(class_implementation . (identifier) @name) @class
(protocol_declaration . (identifier) @name) @interface
(method_definition ["-" "+"] @sign (method_type)? [(identifier) @name (method_parameter) @argument]+ (compound_statement) @body) @method
