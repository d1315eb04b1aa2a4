(binding attrpath: (_) @name expression: (function_expression body: (function_expression body:
  (function_expression body: (_) @body)))) @function
(binding attrpath: (_) @name expression: (function_expression body: (function_expression body: (_) @body))) @function
(binding attrpath: (_) @name expression: (function_expression body: (_) @body)) @function
(binding attrpath: (_) @name expression: [(attrset_expression) (rec_attrset_expression) (let_expression)]) @scope
(binding attrpath: (_) @name expression: (apply_expression argument: [(attrset_expression) (rec_attrset_expression)] @body)) @struct
(binding attrpath: (_) @name expression: (with_expression body: [(attrset_expression) (rec_attrset_expression)])) @scope
