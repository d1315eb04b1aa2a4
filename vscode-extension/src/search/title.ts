/** What the title of the search box says. */
import { l10n } from 'vscode';

import type { Answer, Status } from '../protocol';
import { overall, percent } from '../status/text';

/** How many answers in what time, and how much of the code was searched by meaning where that is not all. */
export function titleOf(answer: Answer | undefined, status: Status | undefined): string {
  const parts = ['codewhere'];
  if (answer) parts.push(countOf(answer));
  const coverage = answer?.coverage ?? (status ? overall(status.roots) : 1);
  if (status?.modelState === 'failed') parts.push(l10n.t('words only'));
  else if (coverage < 1) parts.push(l10n.t('{0} searched by meaning', percent(coverage)));
  return parts.join(' • ');
}

function countOf({ results, elapsedMs }: Answer): string {
  const time = Math.round(elapsedMs);
  return results.length === 1 ? l10n.t('1 answer in {0} ms', time) : l10n.t('{0} answers in {1} ms', results.length, time);
}
