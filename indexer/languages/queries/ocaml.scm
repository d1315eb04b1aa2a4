(module_definition (module_binding (module_name) @name body: (_) @body)) @module
(module_type_definition (module_type_name) @name body: (_) @body) @interface
(class_definition (class_binding (class_name) @name body: (_) @body)) @class
(class_type_definition (class_type_binding (class_type_name) @name)) @interface
(type_definition . (type_binding name: (_) @name body: (record_declaration) @body)) @struct
(type_definition . (type_binding name: (_) @name body: (variant_declaration) @body)) @enum

(let_binding pattern: [(value_name) (parenthesized_operator)] @name (parameter) body: (_) @body) @bound
(let_binding pattern: [(value_name) (parenthesized_operator)] @name
  body: [(function_expression) (fun_expression)] @body) @bound
(method_definition (method_name) @name body: (_) @body) @method
(external [(value_name) (parenthesized_operator)] @name) @function

; They stand before each binding of a definition and belong to it.
(value_definition ["let" "rec" "and"] @attribute)
((comment) @below (#match? @below "^\\(\\*\\*"))
(compilation_unit . (comment) @doc (#match? @doc "^\\(\\*\\*"))
