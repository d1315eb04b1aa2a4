// Licensed to the .NET Foundation under one or more agreements.
using System;
using System.Collections.Generic;

namespace Example.Data
{
    /// <summary>
    /// Keeps <see cref="Entity"/> values.
    /// </summary>
    /// <typeparam name="T">What it keeps.</typeparam>
    [Serializable]
    public sealed class Repository<T> : IRepository<T> where T : class, new()
    {
        private readonly Dictionary<int, T> items = new();
        private const int Limit = 10;

        /// <summary>Makes one.</summary>
        public Repository(int size) : base(size)
        {
            Size = size;
        }

        ~Repository() { Dispose(); }

        public int Size { get; private set; }

        /// <summary>How many there are.</summary>
        public int Count
        {
            get { return items.Count; }
        }

        public bool IsEmpty => Count == 0;

        public T this[int key]
        {
            get { return items[key]; }
            set { items[key] = value; }
        }

        public event EventHandler Changed;

        /// <summary>Finds one.</summary>
        /// <param name="key">its key</param>
        /// <returns>the value</returns>
        [Obsolete("use TryFind")]
        public async Task<T> FindAsync(int key)
        {
            T Local(int k) => items[k];
            Func<int, int> twice = x => x * 2;
            return await Task.FromResult(Local(key));
        }

        public T Find(int key, T fallback) => items.TryGetValue(key, out var v) ? v : fallback;

        public static Repository<T> operator +(Repository<T> a, Repository<T> b)
        {
            return a;
        }

        void IDisposable.Dispose() { }

        private struct Node
        {
            public int Key;
            public int Twice() { return Key * 2; }
        }
    }

    public interface IRepository<T>
    {
        T Find(int key, T fallback);
    }

    public enum Level { Low = 1, High }

    public record Person(string Name, int Age);

    public delegate void Handler(object sender);
}
