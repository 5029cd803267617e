/** What `5x5 snapshot` hears from the programs of a machine, still as they say it, and how to look into it. */

/** A JSON object whose values have not been looked at. */
export type JsonObject = Readonly<Record<string, unknown>>

/** What one namespace of the machine says of itself. A part that could not be had is empty. */
export interface NamespaceRecord {
  readonly name: string
  /** `ip -j -d -N address`. */
  readonly devices: readonly JsonObject[]
  /** `ip -j -N -4|-6 route show table all`. */
  readonly routes: Readonly<Record<'ipv4' | 'ipv6', readonly JsonObject[]>>
  /** `ip -j -N -4|-6 rule`. */
  readonly rules: Readonly<Record<'ipv4' | 'ipv6', readonly JsonObject[]>>
  /** `ip -j neigh`. */
  readonly neighbours: readonly JsonObject[]
  /** `bridge -j fdb show`: where the bridges learned addresses. */
  readonly fdb: readonly JsonObject[]
  /** `ip -j netns list-id`: how this namespace numbers the others. */
  readonly namespaceIds: readonly JsonObject[]
  /** By full name with dots. */
  readonly sysctls: Readonly<Record<string, string>>
  /** `/proc/net/tcp`, tcp6, udp and udp6, by these names. */
  readonly sockets: Readonly<Record<string, string>>
  /** `ipset save`. */
  readonly ipsets: string
  readonly rulesets: readonly RulesetRecord[]
}

/** What one of the save programs printed. */
export interface RulesetRecord {
  readonly family: 'ipv4' | 'ipv6'
  readonly backend: 'legacy' | 'nft'
  readonly text: string
}

/** A machine: the namespace that the program runs in comes first. `leftOut` are sentences: what could not be read, and why. */
export interface MachineRecord {
  readonly namespaces: readonly NamespaceRecord[]
  readonly leftOut: readonly string[]
}

/** Returns a text or number of an object as text. */
export function textIn(object: JsonObject | undefined, key: string): string | undefined {
  const value = object?.[key]
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined
}

/** Returns a number of an object, also where it is written as text. */
export function numberIn(object: JsonObject | undefined, key: string): number | undefined {
  const text = textIn(object, key)
  return text === undefined || text === '' || Number.isNaN(Number(text)) ? undefined : Number(text)
}

/** Returns an inner object. */
export function objectIn(object: JsonObject | undefined, key: string): JsonObject | undefined {
  const value = object?.[key]
  return isJsonObject(value) ? value : undefined
}

/** Returns the objects of an inner list. */
export function objectsIn(object: JsonObject | undefined, key: string): readonly JsonObject[] {
  return objectsOf(object?.[key])
}

/** Returns the objects of a list; of anything else none. `ip` prints empty objects for what it leaves out. */
export function objectsOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject).filter(one => Object.keys(one).length > 0) : []
}

/** Tells whether an inner list has a word, such as a flag. */
export function hasWord(object: JsonObject | undefined, key: string, word: string): boolean {
  const value = object?.[key]
  return Array.isArray(value) && value.includes(word)
}

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
