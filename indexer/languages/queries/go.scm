(function_declaration name: (identifier) @name body: (block) @body) @function
(function_declaration name: (identifier) @name !body) @function
(method_declaration receiver: (parameter_list (parameter_declaration type: (_) @receiver)) name: (_) @name body: (block) @body) @method
(type_spec name: (_) @name type: (struct_type (field_declaration_list) @body)) @struct
(type_spec name: (_) @name type: (interface_type "{" @body)) @interface
(type_spec name: (_) @name type: [(function_type) (map_type) (slice_type) (array_type) (channel_type) (pointer_type)
  (type_identifier) (qualified_type) (generic_type)]) @struct
(const_spec name: (identifier) @name value: (expression_list . (func_literal body: (_) @body) .)) @lambda
(var_spec name: (identifier) @name value: (expression_list . (func_literal body: (_) @body) .)) @lambda
(short_var_declaration left: (expression_list . (identifier) @name .) right: (expression_list . (func_literal body: (_) @body) .)) @lambda
(type_declaration . (type_spec) @wrapped .) @wrap
(var_declaration . (var_spec) @wrapped .) @wrap
(package_clause) @header
