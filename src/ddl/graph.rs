//! Nodes by number, what each depends on, and the order that follows.

use std::collections::BinaryHeap;

/// For each node the nodes that must come before it. Nodes are numbered in the order that is
/// wanted where nothing else decides.
#[derive(Clone, Debug, Default)]
pub(super) struct Graph {
    needs: Vec<Vec<usize>>,
}

impl Graph {
    /// A graph of nodes without edges.
    pub(super) fn new(nodes: usize) -> Self {
        Self {
            needs: vec![Vec::new(); nodes],
        }
    }

    /// Lets `node` come after `needed`. A node does not wait for itself.
    pub(super) fn add(&mut self, node: usize, needed: usize) {
        if node != needed {
            self.needs[node].push(needed);
        }
    }

    /// Drops repeated edges.
    pub(super) fn finish(&mut self) {
        for needs in &mut self.needs {
            needs.sort_unstable();
            needs.dedup();
        }
    }

    /// What a node needs.
    pub(super) fn needs(&self, node: usize) -> &[usize] {
        &self.needs[node]
    }

    /// The order that keeps every edge and otherwise disturbs the numbering least. The list is
    /// filled from its end, always with the highest node that no remaining one waits for. None when
    /// there are cycles.
    pub(super) fn order(&self) -> Option<Vec<usize>> {
        let mut waiting = vec![0_usize; self.needs.len()];
        for needed in self.needs.iter().flatten() {
            waiting[*needed] += 1;
        }
        let mut free: BinaryHeap<usize> = (0..waiting.len()).filter(|n| waiting[*n] == 0).collect();
        let mut backwards = Vec::with_capacity(waiting.len());
        while let Some(node) = free.pop() {
            backwards.push(node);
            for needed in &self.needs[node] {
                waiting[*needed] -= 1;
                if waiting[*needed] == 0 {
                    free.push(*needed);
                }
            }
        }
        backwards.reverse();
        (backwards.len() == waiting.len()).then_some(backwards)
    }

    /// The groups of nodes that depend on each other, each sorted (Tarjan's strongly connected
    /// components, without recursion: chains may be thousands of nodes long).
    pub(super) fn loops(&self) -> Vec<Vec<usize>> {
        let mut search = Search::new(self.needs.len());
        for root in 0..self.needs.len() {
            if search.number[root] == UNSEEN {
                search.visit(self, root);
            }
        }
        let mut found = search.found;
        found.sort_unstable();
        found
    }
}

const UNSEEN: usize = usize::MAX;

/// The state of Tarjan's search.
struct Search {
    number: Vec<usize>,
    low: Vec<usize>,
    on_stack: Vec<bool>,
    stack: Vec<usize>,
    next: usize,
    found: Vec<Vec<usize>>,
}

impl Search {
    fn new(nodes: usize) -> Self {
        Self {
            number: vec![UNSEEN; nodes],
            low: vec![UNSEEN; nodes],
            on_stack: vec![false; nodes],
            stack: Vec::new(),
            next: 0,
            found: Vec::new(),
        }
    }

    fn enter(&mut self, node: usize) {
        self.number[node] = self.next;
        self.low[node] = self.next;
        self.next += 1;
        self.stack.push(node);
        self.on_stack[node] = true;
    }

    fn visit(&mut self, graph: &Graph, root: usize) {
        // A node, and how many of its needs have been looked at.
        let mut path = vec![(root, 0_usize)];
        self.enter(root);
        while let Some((node, looked_at)) = path.last_mut() {
            let node = *node;
            if let Some(needed) = graph.needs[node].get(*looked_at).copied() {
                *looked_at += 1;
                if self.number[needed] == UNSEEN {
                    self.enter(needed);
                    path.push((needed, 0));
                } else if self.on_stack[needed] {
                    self.low[node] = self.low[node].min(self.number[needed]);
                }
            } else {
                path.pop();
                if let Some((parent, _)) = path.last() {
                    self.low[*parent] = self.low[*parent].min(self.low[node]);
                }
                self.leave(node);
            }
        }
    }

    /// Takes a finished group off the stack when `node` was its first.
    fn leave(&mut self, node: usize) {
        if self.low[node] != self.number[node] {
            return;
        }
        let start = self
            .stack
            .iter()
            .rposition(|other| *other == node)
            .expect("a node leaves the search while it is on the stack");
        let mut group = self.stack.split_off(start);
        for member in &group {
            self.on_stack[*member] = false;
        }
        if group.len() > 1 {
            group.sort_unstable();
            self.found.push(group);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn graph(nodes: usize, edges: &[(usize, usize)]) -> Graph {
        let mut graph = Graph::new(nodes);
        for (node, needed) in edges {
            graph.add(*node, *needed);
        }
        graph.finish();
        graph
    }

    #[test]
    fn without_edges_the_numbering_stays() {
        assert_eq!(graph(4, &[]).order().unwrap(), [0, 1, 2, 3]);
    }

    #[test]
    fn only_what_must_move_moves() {
        assert_eq!(graph(5, &[(1, 3)]).order().unwrap(), [0, 3, 1, 2, 4]);
        assert_eq!(graph(3, &[(1, 1)]).order().unwrap(), [0, 1, 2]);
    }

    #[test]
    fn loops_are_found_and_have_no_order() {
        let graph = graph(6, &[(0, 1), (1, 2), (2, 0), (3, 0), (4, 5), (5, 4)]);
        assert_eq!(graph.loops(), [vec![0, 1, 2], vec![4, 5]]);
        assert_eq!(graph.order(), None);
    }

    #[test]
    fn long_chains_need_no_deep_stack() {
        let edges: Vec<_> = (1..200_000).map(|node| (node, node - 1)).collect();
        assert!(graph(200_000, &edges).loops().is_empty());
    }

    proptest! {
        #[test]
        fn an_order_keeps_every_edge_or_there_is_a_loop(
            edges in proptest::collection::vec((0..30_usize, 0..30_usize), 0..60)
        ) {
            let graph = graph(30, &edges);
            let order = graph.order();
            prop_assert_eq!(order.is_none(), !graph.loops().is_empty());
            if let Some(order) = order {
                let place = |node| order.iter().position(|other| *other == node);
                for (node, needed) in edges.iter().filter(|(a, b)| a != b) {
                    prop_assert!(place(*needed) < place(*node));
                }
            }
        }
    }
}
