(package_statement name: (_) @name !body) @section
(package_statement name: (_) @name (block) @body) @class
(class_statement name: (_) @name (block) @body) @class
(role_statement name: (_) @name (block) @body) @class
(subroutine_declaration_statement name: (_) @name body: (_) @body) @function
(method_declaration_statement name: (_) @name body: (_) @body) @method
(assignment_expression left: [(variable_declaration) (scalar)] @name
  right: (anonymous_subroutine_expression body: (_) @body)) @lambda
(assignment_expression left: (glob) @name right: (anonymous_subroutine_expression body: (_) @body)) @function
(expression_statement . (assignment_expression right: (anonymous_subroutine_expression)) @wrapped .) @wrap
(pod) @comment
