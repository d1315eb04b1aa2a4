(package_statement name: (_) @name (block) @body) @module
(package_statement name: (_) @name) @section
(class_statement name: (_) @name (block) @body) @class
(class_statement name: (_) @name) @section
(role_statement name: (_) @name (block) @body) @class
(subroutine_declaration_statement name: (_) @name body: (_) @body) @function
(method_declaration_statement name: (_) @name body: (_) @body) @method
(assignment_expression left: [(variable_declaration (scalar (varname) @name)) (scalar (varname) @name) (glob (varname) @name)]
  right: (anonymous_subroutine_expression body: (_) @body)) @bound
(expression_statement . (assignment_expression right: (anonymous_subroutine_expression)) @wrapped .) @wrap

; A manual section of the first level is about the package, not about the function below it.
((pod) @comment (#not-match? @comment "(^|\n)=head1"))
(pod) @manual
