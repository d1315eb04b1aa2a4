(class_declaration name: (_) @name body: (_) @body) @class
(interface_declaration name: (_) @name body: (_) @body) @interface
(trait_declaration name: (_) @name body: (_) @body) @trait
(enum_declaration name: (_) @name body: (_) @body) @enum
(function_definition name: (_) @name body: (_) @body) @function
(method_declaration name: (_) @name body: (_) @body) @method
(property_declaration (property_element name: (variable_name (name) @name)) (property_hook_list (property_hook body: (_))) @body) @method
(assignment_expression left: (variable_name (name) @name) right: [(anonymous_function body: (_) @body) (arrow_function body: (_) @body)]) @lambda
(expression_statement . (assignment_expression) @wrapped .) @wrap
(attribute_list) @attribute
