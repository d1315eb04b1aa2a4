(class_definition name: (_) @name body: (_) @body) @class
(mixin_declaration (mixin) . (identifier) @name (class_body) @body) @class
(extension_declaration name: (_) @name body: (_) @body) @extension
(extension_type_declaration name: (_) @name body: (_) @body) @class
(enum_declaration name: (_) @name body: (_) @body) @enum
(type_alias . (type_identifier) @name) @interface

; The signature and the body of a function stand side by side.
((function_signature name: (_) @name) @function . (function_body) @body)
((getter_signature name: (_) @name) @function . (function_body) @body)
((setter_signature name: (_) @name) @function . (function_body) @body)
((method_signature (function_signature name: (_) @name)) @method . (function_body) @body)
((method_signature (getter_signature name: (_) @name)) @method . (function_body) @body)
((method_signature (setter_signature name: (_) @name)) @method . (function_body) @body)
((method_signature (operator_signature [(binary_operator) (tilde_operator)] @name)) @method . (function_body) @body)
((method_signature (constructor_signature (identifier) @name . (formal_parameter_list))) @constructor . (function_body) @body)
((method_signature (factory_constructor_signature (identifier) @name . (formal_parameter_list))) @constructor
  . (function_body) @body)
(declaration (constructor_signature (identifier) @name . (formal_parameter_list))) @constructor
(declaration (constant_constructor_signature (identifier) @name . (formal_parameter_list))) @constructor
(static_final_declaration . (identifier) @name (function_expression body: (_) @body)) @bound
(initialized_identifier . (identifier) @name (function_expression body: (_) @body)) @bound

((final_builtin) @attribute . (static_final_declaration_list))
(annotation) @attribute
(library_name) @header
