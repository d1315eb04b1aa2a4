(function_declaration name: (_) @name body: (_)? @body) @function

; Functions bound to a name.
(assignment_statement (variable_list . name: (_) @name .) (expression_list . value: (function_definition body: (_)? @body) .)) @bound
(field name: (_) @name value: (function_definition body: (_)? @body)) @bound

; Tables whose fields are functions.
(assignment_statement (variable_list . name: (_) @name .) (expression_list . value: (table_constructor) .)) @scope
(field name: (_) @name value: (table_constructor)) @scope

(variable_declaration (assignment_statement) @wrapped) @wrap
