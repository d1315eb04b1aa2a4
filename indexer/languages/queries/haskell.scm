(data_type name: (_) @name) @struct
(newtype name: (_) @name) @struct
(type_synonym name: (_) @name) @struct
(class name: (_) @name "where"? @body) @trait
(instance name: (_) @implements patterns: (_) @name "where"? @body) @extension

; A type signature and the equations after it are one function.
(declarations (signature name: [(prefix_id (_) @name) (variable) @name]) @function)
(function name: [(prefix_id (_) @name) (variable) @name] match: (_) @body) @bound
(function (infix operator: [(operator) (infix_id (_))] @name) match: (_) @body) @bound
(declarations (bind name: [(prefix_id (_) @name) (variable) @name] match: (_) @body) @function)
(class_declarations (bind name: [(prefix_id (_) @name) (variable) @name] match: (_) @body) @function)
(instance_declarations (bind name: [(prefix_id (_) @name) (variable) @name] match: (_) @body) @function)

(pragma) @attribute
(header) @header
