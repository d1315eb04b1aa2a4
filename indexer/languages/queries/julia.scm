(module_definition name: (_) @name) @module
(struct_definition (type_head [
  (identifier) @name
  (parametrized_type_expression . (_) @name)
  (binary_expression . (identifier) @name)
  (binary_expression . (parametrized_type_expression . (_) @name))])) @struct
(abstract_definition (type_head [(identifier) @name (binary_expression . (_) @name) (parametrized_type_expression . (_) @name)])) @interface

(function_definition (signature [
  (call_expression . [(identifier) (field_expression)] @name)
  (where_expression . (call_expression . [(identifier) (field_expression)] @name))
  (where_expression . (typed_expression . (call_expression . [(identifier) (field_expression)] @name)))
  (where_expression . (where_expression . (call_expression . [(identifier) (field_expression)] @name)))
  (typed_expression . (call_expression . [(identifier) (field_expression)] @name))
  (call_expression . (parametrized_type_expression . (_) @name))
  (where_expression . (call_expression . (parametrized_type_expression . (_) @name)))
  (call_expression . (parenthesized_expression (typed_expression . (_)? (_) @name .)))
  (identifier) @name]) . (_)? @body) @function
(macro_definition (signature (call_expression . (_) @name)) . (_)? @body) @function

; The short form, and functions bound to a name.
(assignment . [
  (call_expression . [(identifier) (field_expression)] @name)
  (where_expression . (call_expression . [(identifier) (field_expression)] @name))
  (typed_expression . (call_expression . [(identifier) (field_expression)] @name))
  (where_expression . (typed_expression . (call_expression . [(identifier) (field_expression)] @name)))
  (call_expression . (parametrized_type_expression . (_) @name))
  (where_expression . (call_expression . (parametrized_type_expression . (_) @name)))
  (call_expression . (parenthesized_expression (typed_expression . (_)? (_) @name .)))
  (where_expression . (call_expression . (parenthesized_expression (typed_expression . (_)? (_) @name .))))
  ] (operator) . (_) @body .) @bound
(assignment . (identifier) @name (operator) . (arrow_function_expression "->" . (_) @body)) @bound
(assignment . (identifier) @name (operator) . (function_definition (signature) . (_) @body)) @bound

(const_statement . (assignment) @wrapped) @wrap
((string_literal) @comment . [(module_definition) (struct_definition) (abstract_definition) (function_definition)
  (macro_definition) (assignment) (const_statement)])
(macrocall_expression (macro_identifier) (macro_argument_list . [(function_definition) (struct_definition) (assignment)] @wrapped .)) @wrap
