(value_specification [(value_name) (parenthesized_operator)] @name) @function
(external [(value_name) (parenthesized_operator)] @name) @function
(module_definition (module_binding (module_name) @name)) @module
(module_type_definition (module_type_name) @name) @interface
(class_definition (class_binding (class_name) @name)) @class
(type_definition . (type_binding name: (_) @name)) @struct
(exception_definition (constructor_declaration (constructor_name) @name)) @struct
((comment) @below (#match? @below "^\\(\\*\\*"))
(compilation_unit . (comment) @doc (#match? @doc "^\\(\\*\\*"))
