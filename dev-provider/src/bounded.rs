use std::collections::{HashMap, VecDeque};

/// A map that forgets its oldest entries when it is full. A key that was removed never comes again.
pub(crate) struct Bounded<V> {
    limit: usize,
    entries: HashMap<String, V>,
    /// Every key in the order of insertion, and some that were removed since.
    order: VecDeque<String>,
}

impl<V> Bounded<V> {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            entries: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    pub(crate) fn insert(&mut self, key: String, value: V) {
        while self.entries.len() >= self.limit {
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            self.entries.remove(&oldest);
        }
        if self.order.len() >= 2 * self.limit {
            self.order.retain(|key| self.entries.contains_key(key));
        }
        self.order.push_back(key.clone());
        self.entries.insert(key, value);
    }

    pub(crate) fn get(&self, key: &str) -> Option<&V> {
        self.entries.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        self.entries.get_mut(key)
    }

    pub(crate) fn find(&self, wanted: impl Fn(&V) -> bool) -> Option<String> {
        let mut entries = self.entries.iter();
        let (key, _) = entries.find(|(_, value)| wanted(value))?;
        Some(key.clone())
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<V> {
        self.entries.remove(key)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &String> {
        self.entries.keys()
    }

    /// Returns the number of removed entries.
    pub(crate) fn retain(&mut self, keep: impl Fn(&V) -> bool) -> u64 {
        let before = self.entries.len();
        self.entries.retain(|_, value| keep(value));
        u64::try_from(before - self.entries.len()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_a_million_times_takes_no_more_room() {
        let mut map = Bounded::new(3);
        for number in 0..1000 {
            map.insert(number.to_string(), number);
            if number % 2 == 0 {
                map.remove(&number.to_string());
            }
        }
        assert!(map.entries.len() <= 3 && map.order.len() <= 6);
        assert_eq!(map.get("999"), Some(&999));
        assert_eq!(map.get("1"), None);
    }
}
