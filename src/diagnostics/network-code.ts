/** The codes of what there is to say about pods, services and their networks, beside those of docker hosts. */

/** In alphabetical order; each has its fixture in fixtures/cni or fixtures/kube. */
export type NetworkCode =
  | 'foreign-chain'
  | 'missing-key'
  | 'no-service'
  | 'port-not-published'
  | 'wrong-kind'
