using System;

namespace Example;

Console.WriteLine(Add(1, 2));

static int Add(int a, int b)
{
    return a + b;
}
