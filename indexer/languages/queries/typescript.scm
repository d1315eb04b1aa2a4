; inherits: ecmascript
(abstract_class_declaration name: (_) @name body: (class_body) @body) @class
(interface_declaration name: (_) @name body: (_) @body) @interface
(type_alias_declaration name: (_) @name value: (object_type) @body) @interface
(enum_declaration name: (_) @name body: (_) @body) @enum
(internal_module name: (_) @name) @scope
(module name: (_) @name) @scope
(function_signature name: (identifier) @name) @function
(public_field_definition name: (_) @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) @method
; Objects with a type behind them: `{ get() {} } as const satisfies Api`.
(variable_declarator name: (identifier) @name
  value: [(as_expression . (object)) (satisfies_expression . (object)) (satisfies_expression . (as_expression . (object)))]) @scope
(pair key: (_) @name
  value: [(as_expression . (object)) (satisfies_expression . (object)) (satisfies_expression . (as_expression . (object)))]) @scope
(expression_statement . (internal_module) @wrapped .) @wrap
(ambient_declaration (_) @wrapped) @wrap
