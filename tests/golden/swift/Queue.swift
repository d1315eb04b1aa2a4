//
//  Queue.swift
//  Copyright © 2020 Example. All rights reserved.
//

import Foundation

/// A queue of jobs.
///
/// - Note: not thread-safe.
@available(iOS 13, *)
public final class Queue<Element: Equatable>: Base, Sendable {
    private var jobs: [Element] = []
    static let limit = 10

    /// How many there are.
    public var count: Int { jobs.count }

    var first: Element? {
        get { jobs.first }
        set { jobs[0] = newValue! }
    }

    lazy var handler: (Int) -> Void = { value in
        print(value)
    }

    /// Makes one.
    public init(jobs: [Element] = []) {
        self.jobs = jobs
    }

    deinit { jobs.removeAll() }

    /// Adds a job.
    /// - Parameter job: what to do
    @discardableResult
    public func push(_ job: Element, after delay: TimeInterval = 0) async throws -> Int {
        func log(_ text: String) { print(text) }
        let twice = { (x: Int) -> Int in
            return x * 2
        }
        log("push")
        jobs.append(job)
        return twice(jobs.count)
    }

    subscript(index: Int) -> Element {
        return jobs[index]
    }

    static func == (a: Queue, b: Queue) -> Bool { a.jobs == b.jobs }

    struct Options {
        var size = 1
    }
}

public enum State: String {
    case idle, running

    var isIdle: Bool { self == .idle }
}

/** Runs something. */
protocol Runner: AnyObject {
    associatedtype Job
    func run(_ job: Job) -> Bool
}

extension Queue: CustomStringConvertible where Element: Hashable {
    public var description: String { "queue" }

    func drain() { jobs = [] }
}

actor Counter {
    var value = 0
    func increment() { value += 1 }
}

func topLevel(_ a: Int) -> Int {
    return a
}

let double = { (x: Int) in x * 2 }

print(topLevel(double(1)))
