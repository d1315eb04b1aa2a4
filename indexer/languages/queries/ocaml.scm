(module_definition (module_binding (module_name) @name body: (_) @body)) @module
(module_type_definition (module_type_name) @name body: (_) @body) @interface
(class_definition (class_binding (class_name) @name)) @class
(class_type_definition (class_type_binding (class_type_name) @name)) @interface
(type_definition . (type_binding name: (_) @name body: (record_declaration) @body)) @struct
(type_definition . (type_binding name: (_) @name body: (variant_declaration) @body)) @enum

(value_definition . (let_binding pattern: [(value_name) (parenthesized_operator)] @name (parameter) body: (_) @body)) @function
(value_definition . (let_binding pattern: [(value_name) (parenthesized_operator)] @name
  body: [(function_expression) (fun_expression)] @body)) @function
(value_definition (let_and_operator)? (let_binding pattern: [(value_name) (parenthesized_operator)] @name (parameter) body: (_) @body) @function)
(method_definition (method_name) @name) @method
(external (value_name) @name) @function
(comment) @below
