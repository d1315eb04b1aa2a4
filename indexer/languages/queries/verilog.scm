(module_declaration (module_header (simple_identifier) @name)) @class
(interface_declaration (interface_ansi_header (interface_identifier) @name)) @interface
(interface_declaration (interface_nonansi_header (interface_identifier) @name)) @interface
(package_declaration (package_identifier) @name) @module
(class_declaration . (class_identifier) @name) @class
(program_declaration (program_ansi_header (program_identifier) @name)) @class
(function_declaration (function_body_declaration (function_identifier) @name ";" @body)) @function
(task_declaration (task_body_declaration (task_identifier) @name ";" @body)) @function
(class_constructor_declaration "new" @name ";" @body) @constructor
