/** The key `sysctls` in a topology file. */

import { entriesOf, textOf } from '../yaml/yaml-reader.ts'
import type { YamlValue } from '../yaml/yaml-reader.ts'

/** Reads sysctls as pairs of a name with dots and a text. */
export function readSysctls(value: YamlValue): readonly (readonly [string, string])[] {
  return entriesOf(value, '`sysctls`').flatMap(({ key, value: setting }) => {
    const text = textOf(setting, `sysctl \`${key}\``)
    return text === undefined ? [] : [[key.replaceAll('/', '.'), text] as const]
  })
}
