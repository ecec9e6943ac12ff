Console.Error.WriteLine("usage: lanes | suite");
return 2;
