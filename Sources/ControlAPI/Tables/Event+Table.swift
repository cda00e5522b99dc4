extension Event: Tabular {
    public static func table(_ items: [Event], wide: Bool) -> TextTable {
        var table = TextTable(columns: wide ? ["TIME", "KIND", "LEVEL", "EVENT"] : ["TIME", "LEVEL", "EVENT"])
        for item in items {
            table.append(
                wide
                    ? [item.time, item.kind, item.level, item.message] : [item.time, item.level, item.message])
        }
        return table
    }
}
