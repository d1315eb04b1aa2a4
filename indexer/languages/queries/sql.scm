(create_function (object_reference) @name (function_body)? @body) @function
(create_procedure (object_reference) @name (procedure_body)? @body) @function
(create_trigger (keyword_trigger) . (object_reference) @name) @function
(create_table (object_reference) @name (column_definitions)? @body) @struct
(create_view (object_reference) @name (create_query) @body) @struct
(create_materialized_view (object_reference) @name (create_query) @body) @struct
(create_type (object_reference) @name) @struct
(statement . (_) @wrapped .) @wrap
