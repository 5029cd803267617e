/** Releases of the engine, and what differs between them in the rules. Everything that asks "which release?" asks here. */

/** The seven ways in which releases lay out their chains. */
export type EngineFlavor = 'classic20' | 'classic' | 'classic27' | '28.0.0' | '28.0.1' | '28.2' | '29'

/** A release. `text` is how it was asked for. */
export interface Engine {
  readonly text: string
  readonly major: number
  readonly minor: number
  readonly patch: number
  readonly flavor: EngineFlavor
}

/** What `--engine` is where nobody says. */
export const DEFAULT_ENGINE = '29'

/** Reads `29`, `28.2`, `v27.5.1` or the name of a flavor; undefined where it is no release that is known. A part that is left out is the newest of its line. */
export function readEngine(text: string): Engine | undefined {
  const flavor = FLAVOR_RELEASES[text]
  const [, majorText, minorText, patchText] = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:[-+].*)?$/.exec(flavor ?? text) ?? []
  if (majorText === undefined) return undefined
  const major = Number(majorText)
  const minor = minorText === undefined ? newestMinor(major) : Number(minorText)
  const patch = patchText === undefined ? NEWEST : Number(patchText)
  const release = { major, minor, patch }
  if (!isAtLeast(release, 20, 10)) return undefined
  return { text, ...release, flavor: flavorOf(release) }
}

const NEWEST = 99

/** Flavors by name, each as a release of it. */
const FLAVOR_RELEASES: Readonly<Record<string, string>> = { classic20: '20.10.27', classic: '26.1.5', classic27: '27.5.1' }

function newestMinor(major: number): number {
  return major === 20 ? 10 : NEWEST
}

type Release = Pick<Engine, 'major' | 'minor' | 'patch'>

/** Tells whether a release is this one or a later one. */
export function isAtLeast(release: Release, major: number, minor = 0, patch = 0): boolean {
  if (release.major !== major) return release.major > major
  if (release.minor !== minor) return release.minor > minor
  return release.patch >= patch
}

function flavorOf(release: Release): EngineFlavor {
  if (isAtLeast(release, 29)) return '29'
  if (isAtLeast(release, 28, 2)) return '28.2'
  if (isAtLeast(release, 28, 0, 1)) return '28.0.1'
  if (isAtLeast(release, 28)) return '28.0.0'
  if (isAtLeast(release, 27)) return 'classic27'
  return isAtLeast(release, 24, 0, 6) ? 'classic' : 'classic20'
}

/** Tells whether the rules of all networks stand in FORWARD itself, as up to 27. */
export function isClassic({ flavor }: Engine): boolean {
  return flavor === 'classic20' || flavor === 'classic' || flavor === 'classic27'
}

/** Tells whether networks are kept apart by the two isolation chains, as up to 28. */
export function hasIsolationStages({ flavor }: Engine): boolean {
  return flavor !== '29'
}

/** Tells whether DOCKER-USER ends in a RETURN. */
export function userChainReturns(engine: Engine): boolean {
  return !isAtLeast(engine, 28, 2, 1)
}

/** Tells whether dockerd makes DOCKER-USER for IPv6. */
export function hasUserChain6(engine: Engine): boolean {
  return isAtLeast(engine, 23)
}

/** Returns the gateway modes that a release knows; up to 26 the label means nothing. */
export function gatewayModes(engine: Engine): readonly GatewayMode[] {
  if (!isAtLeast(engine, 27)) return []
  return isAtLeast(engine, 28) ? ['nat', 'nat-unprotected', 'routed', 'isolated'] : ['nat', 'routed']
}

/** How a network reaches the world in one family. */
export type GatewayMode = 'nat' | 'nat-unprotected' | 'routed' | 'isolated'
