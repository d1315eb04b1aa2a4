/* Copyright 2018 Example. */
#include <stdio.h>
#include "table.h"

#define LIMIT 10
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* One entry of a table. */
struct entry {
  const char* key;
  int value; /* its value */
};

typedef struct {
  struct entry* entries;
  size_t size;
} table_t;

typedef struct node {
  struct node* next;
} node_t;

enum color { RED, GREEN };

typedef enum { LOW, HIGH } level_t;

union number {
  int i;
  float f;
};

static struct entry defaults[] = {
  { "a", 1 },
};

int table_size(const table_t* table);

/**
 * Finds an entry.
 * @param key what to find
 * @return the entry or NULL
 */
struct entry* table_find(table_t* table, const char* key) {
  for (size_t i = 0; i < table->size; i++)
    if (strcmp(table->entries[i].key, key) == 0)
      return &table->entries[i];
  return NULL;
}

/* Grows the table,
 * keeps what is in it. */
static inline int
table_grow(table_t *table, size_t by)
{
  return 0;
}

char **names(void) { return NULL; }

int (*compare(int kind))(const void *, const void *) {
  return NULL;
}

EXPORT_API(int) table_open(const char* path) {
  return 0;
}

STATIC_INLINE int table_close(table_t* table) {
  return 0;
}

UV_UNUSED(static int unused(void)) {
  return 1;
}

TEST_IMPL(table_empty) {
  ASSERT(1);
  return 0;
}

#ifdef _WIN32
int table_lock(table_t* table) {
#else
int table_lock(table_t* table, int flags) {
#endif
  return 1;
}

int old_style(a, b)
  int a;
  char b;
{
  return a + b;
}

#if 0
int disabled(void) { return 0; }
#endif

/* Splits a line into words. */
char ***table_split(char *line) {
  return NULL;
}

/* A row of a table. */
static int (*table_row(int at))[3] {
  return NULL;
}

/* Says what to do on a signal. */
void (*on_signal(int number, void (*handler)(int)))(int) {
  return handler;
}
