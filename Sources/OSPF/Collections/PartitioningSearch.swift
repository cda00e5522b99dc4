extension RandomAccessCollection {
    /// The first index whose element satisfies a condition, found by binary search; the end if none does. The condition must
    /// be true for all elements after the first that satisfies it.
    @inline(__always)
    func partitioningIndex(where condition: (Element) -> Bool) -> Index {
        var low = startIndex
        var count = self.count
        while count > 0 {
            let half = count / 2
            let middle = index(low, offsetBy: half)
            if condition(self[middle]) {
                count = half
            } else {
                low = index(after: middle)
                count -= half + 1
            }
        }
        return low
    }
}
