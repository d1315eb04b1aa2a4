export function stringsOf(folder: string): string[];
