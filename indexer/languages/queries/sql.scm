(statement [
  (create_function . (_)* (object_reference) @name)
  (create_trigger . (_)* (keyword_trigger) . (object_reference) @name)
  ]) @function
(statement [
  (create_table (object_reference) @name)
  (create_view (object_reference) @name)
  (create_materialized_view (object_reference) @name)
  (create_type (object_reference) @name)
  ]) @struct
