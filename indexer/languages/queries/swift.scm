(class_declaration declaration_kind: "class" name: (_) @name body: (_) @body) @class
(class_declaration declaration_kind: "actor" name: (_) @name body: (_) @body) @class
(class_declaration declaration_kind: "struct" name: (_) @name body: (_) @body) @struct
(class_declaration declaration_kind: "enum" name: (_) @name body: (_) @body) @enum
(class_declaration declaration_kind: "extension" name: (_) @extended body: (_) @body) @extension
(protocol_declaration name: (_) @name body: (_) @body) @interface
(function_declaration name: (simple_identifier) @name body: (_) @body) @function
; An operator.
(function_declaration "func" . _ @name body: (_) @body) @function
(init_declaration "init" @name body: (_) @body) @constructor
(deinit_declaration "deinit" @name body: (_) @body) @method
(subscript_declaration "subscript" @name (computed_property) @body) @method
(property_declaration name: (pattern) @name computed_value: (_) @body) @method
(property_declaration name: (pattern) @name value: (lambda_literal) @body) @lambda
(modifiers (attribute) @attribute)
