/** A strict reader of the XML that reports write: elements, attributes, text; no more. Throws where it is not well formed. */

/** An element. */
export interface XmlElement {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: XmlElement[]
  text: string
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** Returns the root element. */
export function parseXml(document: string): XmlElement {
  const root: XmlElement = { name: '', attributes: {}, children: [], text: '' }
  const open = [root]
  const token = /<\?xml[^?]*\?>|<\/([\w.-]+)>|<([\w.-]+)((?:\s+[\w.-]+="[^"<]*")*)\s*(\/?)>|[^<]+/gy
  let end = 0
  for (let match = token.exec(document); match; match = token.exec(document)) {
    end = token.lastIndex
    const top = open.at(-1)
    if (!top) throw new Error('text behind the root')
    const [whole, closing, name, attributes = '', isEmpty] = match
    if (closing !== undefined) {
      if (open.pop()?.name !== closing) throw new Error(`</${closing}> closes another element`)
    } else if (name !== undefined) {
      const element: XmlElement = { name, attributes: readAttributes(attributes), children: [], text: '' }
      top.children.push(element)
      if (isEmpty === '') open.push(element)
    } else if (!whole.startsWith('<?xml')) top.text += readText(whole)
  }
  const [only] = root.children
  if (end !== document.length || open.length !== 1 || !only || root.children.length !== 1) throw new Error(`not well formed at ${end}: ${document.slice(end, end + 40)}`)
  return only
}

function readAttributes(text: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [, name = '', value = ''] of text.matchAll(/([\w.-]+)="([^"]*)"/g)) {
    if (name in found) throw new Error(`attribute ${name} is there twice`)
    found[name] = readText(value)
  }
  return found
}

function readText(text: string): string {
  if (/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(text)) throw new Error('a character that XML forbids')
  return text.replace(/&(#(\d+)|\w*);?/g, (whole, name: string, code: string | undefined) => {
    const char = code === undefined ? ENTITIES[name] : String.fromCharCode(Number(code))
    if (char === undefined || !whole.endsWith(';')) throw new Error(`unknown entity ${whole}`)
    return char
  })
}
