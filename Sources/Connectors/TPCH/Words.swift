// Owns the words of the benchmark: what the TPC-H specification (clauses 4.2.2.13 and 4.2.2.14) and the distributions
// file of its kit (dists.dss) list, in their order, with their weights. Knows nothing of how they are drawn.

/// Lists of which a draw picks each entry with the same chance.
enum Words {
  /// Region `i` has key `i`.
  static let regions: [String] = [
    "AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST",
  ]

  /// Nation `i` has key `i`.
  static let nations: [String] = [
    "ALGERIA", "ARGENTINA", "BRAZIL", "CANADA", "EGYPT", "ETHIOPIA", "FRANCE", "GERMANY", "INDIA", "INDONESIA",
    "IRAN", "IRAQ", "JAPAN", "JORDAN", "KENYA", "MOROCCO", "MOZAMBIQUE", "PERU", "CHINA", "ROMANIA",
    "SAUDI ARABIA", "VIETNAM", "RUSSIA", "UNITED KINGDOM", "UNITED STATES",
  ]

  /// The region's key of each nation.
  static let regionOfNation: [Int64] = [
    0, 1, 1, 1, 4, 0, 3, 3, 2, 2, 4, 4, 2, 4, 0, 0, 0, 1, 2, 3, 4, 2, 3, 3, 1,
  ]

  /// c_mktsegment.
  static let segments: [String] = [
    "AUTOMOBILE", "BUILDING", "FURNITURE", "HOUSEHOLD", "MACHINERY",
  ]

  /// o_orderpriority.
  static let priorities: [String] = [
    "1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW",
  ]

  /// l_shipinstruct.
  static let instructions: [String] = [
    "DELIVER IN PERSON", "COLLECT COD", "TAKE BACK RETURN", "NONE",
  ]

  /// l_shipmode.
  static let shipModes: [String] = [
    "REG AIR", "AIR", "RAIL", "TRUCK", "MAIL", "FOB", "SHIP",
  ]

  /// p_container: every size with every kind.
  static let containers: [String] = pairs(
    ["SM", "LG", "MED", "JUMBO", "WRAP"],
    ["CASE", "BOX", "BAG", "JAR", "PACK", "PKG", "CAN", "DRUM"])

  /// p_type: every combination of three syllables.
  static let types: [String] = pairs(
    pairs(
      ["STANDARD", "SMALL", "MEDIUM", "LARGE", "ECONOMY", "PROMO"],
      ["ANODIZED", "BURNISHED", "PLATED", "POLISHED", "BRUSHED"]),
    ["TIN", "NICKEL", "BRASS", "STEEL", "COPPER"])

  /// The words p_name is made of.
  static let colors: [String] = [
    "almond", "antique", "aquamarine", "azure", "beige", "bisque", "black", "blanched", "blue", "blush", "brown",
    "burlywood", "burnished", "chartreuse", "chiffon", "chocolate", "coral", "cornflower", "cornsilk", "cream",
    "cyan", "dark", "deep", "dim", "dodger", "drab", "firebrick", "floral", "forest", "frosted", "gainsboro",
    "ghost", "goldenrod", "green", "grey", "honeydew", "hot", "indian", "ivory", "khaki", "lace", "lavender",
    "lawn", "lemon", "light", "lime", "linen", "magenta", "maroon", "medium", "metallic", "midnight", "mint",
    "misty", "moccasin", "navajo", "navy", "olive", "orange", "orchid", "pale", "papaya", "peach", "peru", "pink",
    "plum", "powder", "puff", "purple", "red", "rose", "rosy", "royal", "saddle", "salmon", "sandy", "seashell",
    "sienna", "sky", "slate", "smoke", "snow", "spring", "steel", "tan", "thistle", "tomato", "turquoise",
    "violet", "wheat", "white", "yellow",
  ]

  /// Each of `left` before each of `right`, with a blank between, the last changing fastest.
  private static func pairs(_ left: [String], _ right: [String]) -> [String] {
    left.flatMap { first in right.map { first + " " + $0 } }
  }
}

/// The grammar of comments: lists whose entries have weights.
enum GrammarWords {
  /// Neighbours in a list that have the same weight.
  typealias Weighted = (weight: Int, entries: [String])

  /// Letters stand for a noun phrase, verb phrase, prepositional phrase and terminator.
  static let sentences: [Weighted] = [
    (3, ["N V T", "N V P T", "N V N T"]),
    (1, ["N P V N T", "N P V P T"]),
  ]

  /// Noun, adjective, adverb; the comma stands as it is.
  static let nounPhrases: [Weighted] = [
    (10, ["N"]),
    (20, ["J N"]),
    (10, ["J, J N"]),
    (50, ["D J N"]),
  ]

  /// Verb, auxiliary, adverb.
  static let verbPhrases: [Weighted] = [
    (30, ["V"]),
    (1, ["X V"]),
    (40, ["V D"]),
    (1, ["X V D"]),
  ]

  /// Nouns.
  static let nouns: [Weighted] = [
    (40, ["packages", "requests", "accounts", "deposits"]),
    (20, ["foxes", "ideas", "theodolites", "pinto beans", "instructions"]),
    (10, ["dependencies", "excuses", "platelets", "asymptotes"]),
    (5, ["courts", "dolphins"]),
    (1, [
      "multipliers", "sauternes", "warthogs", "frets", "dinos", "attainments", "somas", "Tiresias", "patterns",
      "forges", "braids", "frays", "warhorses", "dugouts", "notornis", "epitaphs", "pearls", "tithes", "waters",
      "orbits", "gifts", "sheaves", "depths", "sentiments", "decoys", "realms", "pains", "grouches", "escapades",
      "hockey players",
    ]),
  ]

  /// Verbs.
  static let verbs: [Weighted] = [
    (20, ["sleep", "wake", "are", "cajole", "haggle"]),
    (10, ["nag", "use", "boost"]),
    (5, ["affix", "detect", "integrate"]),
    (1, [
      "maintain", "nod", "was", "lose", "sublate", "solve", "thrash", "promise", "engage", "hinder", "print",
      "x-ray", "breach", "eat", "grow", "impress", "mold", "poach", "serve", "run", "dazzle", "snooze", "doze",
      "unwind", "kindle", "play", "hang", "believe", "doubt",
    ]),
  ]

  /// Adjectives.
  static let adjectives: [Weighted] = [
    (20, ["special", "pending", "unusual", "express"]),
    (1, [
      "furious", "sly", "careful", "blithe", "quick", "fluffy", "slow", "quiet", "ruthless", "thin", "close",
      "dogged", "daring", "brave", "stealthy", "permanent", "enticing", "idle", "busy",
    ]),
    (50, ["regular"]),
    (40, ["final", "ironic"]),
    (30, ["even"]),
    (20, ["bold"]),
    (10, ["silent"]),
  ]

  /// Adverbs.
  static let adverbs: [Weighted] = [
    (1, ["sometimes", "always", "never"]),
    (50, ["furiously", "slyly", "carefully"]),
    (40, ["blithely"]),
    (30, ["quickly"]),
    (20, ["fluffily"]),
    (1, [
      "slowly", "quietly", "ruthlessly", "thinly", "closely", "doggedly", "daringly", "bravely", "stealthily",
      "permanently", "enticingly", "idly", "busily", "regularly", "finally", "ironically", "evenly", "boldly",
      "silently",
    ]),
  ]

  /// Prepositions; the one that is misspelt is so in the kit.
  static let prepositions: [Weighted] = [
    (50, ["about", "above", "according to", "across", "after"]),
    (40, ["against", "along"]),
    (30, ["alongside of", "among"]),
    (20, ["around"]),
    (10, ["at"]),
    (1, [
      "atop", "before", "behind", "beneath", "beside", "besides", "between", "beyond", "by", "despite", "during",
      "except", "for", "from", "in place of", "inside", "instead of", "into", "near", "of", "on", "outside",
      "over", "past", "since", "through", "throughout", "to", "toward", "under", "until", "up", "upon", "whithout",
      "with", "within",
    ]),
  ]

  /// Auxiliaries.
  static let auxiliaries: [Weighted] = [
    (1, [
      "do", "may", "might", "shall", "will", "would", "can", "could", "should", "ought to", "must", "will have to",
      "shall have to", "could have to", "should have to", "must have to", "need to", "try to",
    ]),
  ]

  /// What ends a sentence.
  static let terminators: [Weighted] = [
    (50, ["."]),
    (1, [";", ":", "?", "!", "--"]),
  ]
}
