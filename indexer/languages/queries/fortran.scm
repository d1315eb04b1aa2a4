(module . (module_statement (name) @name)) @module
(submodule . (submodule_statement (name) @name)) @module
(program . (program_statement (name) @name) . (_)? @body) @function
(function . (function_statement name: (_) @name) . (_)? @body) @function
(subroutine . (subroutine_statement name: (_) @name) . (_)? @body) @function
(module_procedure . (module_procedure_statement name: (_) @name) . (_)? @body) @function
(derived_type_definition . (derived_type_statement (type_name) @name)) @struct

; Documentation in the style of FORD stands after the head.
([(function . (_) . (comment)+ @doc) (subroutine . (_) . (comment)+ @doc) (module_procedure . (_) . (comment)+ @doc)
  (derived_type_definition . (_) . (comment)+ @doc) (module . (_) . (comment)+ @doc)
  (program . (_) . (comment)+ @doc)] (#match? @doc "^!!"))
