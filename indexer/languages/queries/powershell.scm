(function_statement (function_name) @name (script_block) @body) @function
(class_statement . (simple_name) @name) @class
(enum_statement (simple_name) @name) @enum
(class_method_definition (simple_name) @name (script_block) @body) @method
(assignment_expression (left_assignment_expression) @name
  value: (_ (_ (_ (_ (_ (_ (_ (_ (_ (_ (_ (_ (_ (_ (script_block_expression))))))))))))))) @body) @lambda
(function_statement (comment) @doc (#match? @doc "(?i)\\.(synopsis|description)"))
