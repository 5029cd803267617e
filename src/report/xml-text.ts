/** Text within XML. */

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' }

/** Returns a text as it stands in an attribute or element; characters that XML 1.0 forbids become U+FFFD. */
export function xmlText(text: string): string {
  return text.replace(/[&<>"']/g, char => ENTITIES[char] ?? char).replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd').replace(/[\t\n\r]/g, char => `&#${char.charCodeAt(0)};`)
}
