(variable_declaration (identifier) @name (struct_declaration) @body) @struct
(variable_declaration (identifier) @name (union_declaration) @body) @struct
(variable_declaration (identifier) @name (opaque_declaration) @body) @struct
(variable_declaration (identifier) @name (enum_declaration) @body) @enum
(function_declaration name: (_) @name body: (_) @body) @function
(test_declaration [(string (string_content) @name) (identifier) @name] (block) @body) @function @test
((comment) @doc (#match? @doc "^//!"))
