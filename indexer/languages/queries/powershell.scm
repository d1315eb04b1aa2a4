(function_statement (function_name) @name "{" @body) @function
(class_statement . (simple_name) @name) @class
(enum_statement (simple_name) @name) @enum
(class_method_definition (simple_name) @name "{" @body) @method
(function_statement (comment) @doc (#match? @doc "(?i)\\.(synopsis|description)"))
(program . (comment) @doc (#match? @doc "(?i)\\.(synopsis|description)"))
