/** The filters that a person types into the question; the server gives them their meaning. */

const FILTER = /(?:^|(?<=\s))-?(?:lang|path|kind|symbol):(?:"[^"]*"|\S+)|(?:^|(?<=\s))-tests(?=\s|$)/g;
const NO_TESTS = '-tests';

/** The filters in a question, as they were typed: `lang:go`, `path:src/`, `-tests`. */
export function filtersOf(query: string): string[] {
  return query.match(FILTER) ?? [];
}

export function withoutFilters(query: string): string {
  return tidy(query.replace(FILTER, ' '));
}

/** Whether there is enough to search for; one sign may be a word in Chinese. */
export function isQuestion(query: string): boolean {
  const text = query.trim();
  return text.length > 1 || text > '\x7f';
}

export function toggleTests(query: string): string {
  const words = filtersOf(query);
  return words.includes(NO_TESTS) ? tidy(query.replace(/(^|\s)-tests(?=\s|$)/g, ' ')) : tidy(`${query} ${NO_TESTS}`);
}

function tidy(query: string): string {
  return query.replace(/\s+/g, ' ').trim();
}
