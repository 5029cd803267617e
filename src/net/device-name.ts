/** Device names and the patterns that `-i` and `-o` compare them with. */

/** The longest device name in bytes (IFNAMSIZ - 1). */
export const DEVICE_NAME_LIMIT = 15

/** What `-i eth+` means: names that begin with `name`; without `prefix` the name itself. */
export interface DevicePattern {
  readonly name: string
  readonly prefix: boolean
}

/** Reads a pattern; a final `+` is the wildcard. Source: iptables(8) "--in-interface"; libxtables xtables_parse_interface(). */
export function readDevicePattern(text: string): DevicePattern {
  return text.endsWith('+') ? { name: text.slice(0, -1), prefix: true } : { name: text, prefix: false }
}

/** Returns the pattern as `-i` takes it. */
export function writeDevicePattern(pattern: DevicePattern): string {
  return pattern.prefix ? `${pattern.name}+` : pattern.name
}

/** Tells whether a device matches; the name of "no device" is ''. Kernel: `-i +` matches even where there is no device. */
export function deviceMatches(pattern: DevicePattern, device: string): boolean {
  return pattern.prefix ? device.startsWith(pattern.name) : device === pattern.name
}
