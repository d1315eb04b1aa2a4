(class_declaration (modifiers (class_modifier "enum")) name: (_) @name) @enum
(class_declaration "interface" name: (_) @name) @interface
(class_declaration "class" name: (_) @name) @class
(object_declaration name: (_) @name) @class
(companion_object) @scope
; A function that extends a type.
(function_declaration [(user_type) (nullable_type)] @receiver . "." . name: (_) @name (function_body) @body) @function
(function_declaration name: (_) @name (function_body) @body) @function
(source_file (function_declaration name: (_) @name) @function)
(secondary_constructor "constructor" @name (block) @body) @constructor
(secondary_constructor "constructor" @name) @constructor
(property_declaration [(user_type) (nullable_type)] @receiver . "." . (variable_declaration (identifier) @name) (getter) @body) @method
(property_declaration (variable_declaration (identifier) @name) (getter) @body) @method
(property_declaration (variable_declaration (identifier) @name) [(lambda_literal) (anonymous_function)] @body) @lambda
(modifiers (annotation) @attribute)
