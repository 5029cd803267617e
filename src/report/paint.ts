/** Colours: what a report marks, and how a terminal shows it. */

/** What a piece of text is, for colouring. */
export type Style = 'error' | 'warning' | 'note' | 'good' | 'strong' | 'faint' | 'place'

/** Returns the text with the codes of a style, or as it is where there are no colours. */
export type Paint = (style: Style, text: string) => string

const CODES: Readonly<Record<Style, string>> = { error: '1;31', warning: '1;33', note: '1;36', good: '1;32', strong: '1', faint: '2', place: '34' }

/** No colours. */
export const plain: Paint = (_style, text) => text

/** ANSI colours. */
export const ansi: Paint = (style, text) => (text === '' ? '' : `\u001b[${CODES[style]}m${text}\u001b[0m`)

/** Returns a text that no terminal obeys: control characters are shown as pictures, tabs as one blank. */
export function printable(text: string): string {
  return text.replaceAll('\t', ' ').replace(/[\u0000-\u001f]/g, char => String.fromCharCode(0x2400 + char.charCodeAt(0))).replace(/[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\u2421')
}

/** Returns `1 error`, `2 errors`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
