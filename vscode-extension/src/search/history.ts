/** The questions asked in this workspace, the latest first, kept between sessions. */
import type { Memento } from 'vscode';

const MOST = 50;
const QUESTIONS = 'codewhere.history';
const LAST = 'codewhere.lastQuery';

export class History {
  constructor(private readonly memory: Memento) {}

  /** What stood in the box when it was closed. */
  get last(): string {
    return this.memory.get(LAST, '');
  }

  set last(query: string) {
    void this.memory.update(LAST, query);
  }

  get questions(): string[] {
    return this.memory.get<string[]>(QUESTIONS, []);
  }

  add(query: string): void {
    const question = query.trim();
    if (!question) return;
    void this.memory.update(QUESTIONS, [question, ...this.questions.filter(other => other !== question)].slice(0, MOST));
  }

  remove(query: string): void {
    void this.memory.update(QUESTIONS, this.questions.filter(other => other !== query));
  }
}
