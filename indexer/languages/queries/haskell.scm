(data_type name: (_) @name) @struct
(newtype name: (_) @name) @struct
(type_synonym name: (_) @name) @struct
(class name: (_) @name declarations: (_)? @body) @interface
(instance name: (_) @implements patterns: (_) @name declarations: (_)? @body) @module

; A type signature and the equations after it are one function.
(declarations (signature name: (_) @name) @function)
(function name: (_) @name match: (_)) @function
(function (infix operator: (_) @name)) @function
(bind name: (_) @name) @function

(haddock) @comment
(header) @header
