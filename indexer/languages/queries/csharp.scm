(class_declaration name: (_) @name body: (_)? @body) @class
(record_declaration name: (_) @name body: (_)? @body) @class
(struct_declaration name: (_) @name body: (_) @body) @struct
(interface_declaration name: (_) @name body: (_) @body) @interface
(enum_declaration name: (_) @name body: (_) @body) @enum
(method_declaration name: (_) @name body: (_) @body) @method
(constructor_declaration name: (_) @name body: (_) @body) @constructor
(destructor_declaration "~" @sign name: (_) @name body: (_) @body) @method
(operator_declaration operator: _ @name body: (_) @body) @method
(conversion_operator_declaration type: (_) @name body: (_) @body) @method
(event_declaration name: (_) @name accessors: (_) @body) @method
(property_declaration name: (_) @name accessors: (accessor_list (accessor_declaration body: (_))) @body) @method
(property_declaration name: (_) @name value: (arrow_expression_clause) @body) @method
(indexer_declaration "this" @name accessors: (_) @body) @method
(indexer_declaration "this" @name value: (_) @body) @method
(local_function_statement name: (_) @name body: (_) @body) @function
(delegate_declaration name: (_) @name) @interface
(variable_declarator name: (_) @name (lambda_expression body: (_) @body)) @lambda
(field_declaration (variable_declaration . (_) . (variable_declarator) @wrapped .)) @wrap
(local_declaration_statement (variable_declaration . (_) . (variable_declarator) @wrapped .)) @wrap
(attribute_list) @attribute
