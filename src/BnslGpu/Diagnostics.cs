using System.Collections.Immutable;
using System.Globalization;
using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Factorization;

namespace BnslGpu;

/// <summary>What a minimum says about itself: how well the data determine it, and what a reader should know before trusting it.</summary>
internal sealed class Diagnostics
{
    /// <summary>A Jacobian with a larger condition number leaves no digit of some combination of parameters: 1/√ε.</summary>
    private const double LargestCondition = 6.7e7;

    /// <summary>A break among the last points is seen from one side only.</summary>
    private const int PointsBeyondBreak = 4;

    private readonly Problem _problem;
    private readonly Minimum _minimum;

    // ∂natural/∂θ with followers folded into their leaders, natural by p.
    private readonly double[] _jacobian;

    /// <summary>Describes a minimum.</summary>
    public Diagnostics(Problem problem, Minimum minimum)
    {
        (_problem, _minimum) = (problem, minimum);
        int p = problem.ParameterCount, count = problem.Law.NaturalCount;
        Natural = new double[count];
        _jacobian = new double[count * p];
        problem.Law.ToNatural(minimum.Parameters, problem.Scale, Natural, _jacobian);
        for (int k = 0; k < count; k++)
        {
            Span<double> row = _jacobian.AsSpan(k * p, p);
            foreach ((int follower, int leader) in problem.Ties) (row[leader], row[follower]) = (row[leader] + row[follower], 0);
        }

        (Covariance, Condition) = Spread();
    }

    /// <summary>Parameters in natural units.</summary>
    public double[] Natural { get; }

    /// <summary>Covariance of the natural parameters, s² (JᵀJ)⁻¹ carried by ∂natural/∂θ; NaN where the data do not determine one or it is held. Shape [natural, natural].</summary>
    public double[] Covariance { get; }

    /// <summary>Largest over smallest singular value of J over the free parameters, its columns scaled to length one; ∞ where J has not full rank.</summary>
    public double Condition { get; }

    /// <summary>Square roots of the variances. Shape [natural].</summary>
    public double[] StandardErrors => [.. Enumerable.Range(0, Natural.Length).Select(k => Math.Sqrt(Covariance[(k * Natural.Length) + k]))];

    /// <summary>By the singular values of R D⁻¹, D the lengths of its columns: R D⁻¹ = U S Vᵀ, (JᵀJ)⁻¹ = D⁻¹ V S⁻² Vᵀ D⁻¹.</summary>
    private (double[] Covariance, double Condition) Spread()
    {
        int p = _problem.ParameterCount, count = Natural.Length;
        var covariance = new double[count * count];
        Array.Fill(covariance, double.NaN);
        int[] free = [.. Enumerable.Range(0, p).Where(j => !_minimum.Held[j])];
        int n = _problem.Count, m = free.Length;
        if (m == 0 || !double.IsFinite(_minimum.Loss)) return (covariance, double.NaN);
        Matrix<double> r = Matrix<double>.Build.DenseOfRowMajor(m, m, _minimum.Free());
        double[] lengths = [.. r.EnumerateColumns().Select(column => column.L2Norm() is > 0 and var length ? length : 1)];
        for (int j = 0; j < m; j++) r.SetColumn(j, r.Column(j) / lengths[j]);
        Svd<double> svd = r.Svd();
        double largest = svd.S[0], rounding = m * Kernels.F64.Epsilon * largest;
        double condition = svd.S[m - 1] > rounding ? largest / svd.S[m - 1] : double.PositiveInfinity;
        if (n <= m) return (covariance, condition);

        // Each natural parameter's row over the singular directions; NaN where it moves with a held parameter or with a direction that J does not see.
        double s = Math.Sqrt(_minimum.Loss / (n - m));
        var rows = new double[count][];
        for (int k = 0; k < count; k++)
        {
            double[] slopes = [.. free.Select((j, i) => _jacobian[(k * p) + j] / lengths[i])], along = new double[m];
            double size = Math.Sqrt(slopes.Sum(slope => slope * slope));
            bool determined = !Enumerable.Range(0, p).Any(j => _minimum.Held[j] && !IsFixed(j) && _jacobian[(k * p) + j] != 0);
            for (int i = 0; i < m; i++)
            {
                double slope = 0;
                for (int j = 0; j < m; j++) slope += svd.VT[i, j] * slopes[j];
                if (svd.S[i] > rounding) along[i] = s * slope / svd.S[i];
                else determined &= Math.Abs(slope) <= 1e-8 * size;
            }

            rows[k] = determined ? along : [.. along.Select(_ => double.NaN)];
        }

        for (int k = 0; k < count; k++)
            for (int l = 0; l < count; l++) covariance[(k * count) + l] = rows[k].Zip(rows[l], (left, right) => left * right).Sum();
        return (covariance, condition);
    }

    /// <summary>A fixed parameter is known and adds nothing; one that is held at a bound would move if it could.</summary>
    private bool IsFixed(int j) => _problem.Lower[j] >= _problem.Upper[j];

    /// <summary>What a reader should know before trusting the fit, as sentences.</summary>
    /// <param name="points">The points that were fitted.</param>
    public ImmutableArray<string> Warnings(Points points)
    {
        var warnings = ImmutableArray.CreateBuilder<string>();
        if (_problem.Count <= _problem.FreeCount)
            warnings.Add($"{_problem.FreeCount} parameters and {_problem.Count} points: the data do not determine this fit.");
        if (_minimum.Termination is Termination.MaxIterations or Termination.NonFinite)
            warnings.Add($"The refinement ended by {_minimum.Termination}; the parameters are not a proven minimum.");
        if (!double.IsFinite(_minimum.Loss)) return warnings.ToImmutable();
        for (int i = 0; i < _problem.Law.Breaks; i++) OfBreak(i, points, warnings);
        OnBounds(warnings);
        if (_problem.Loss.IsRobust && _minimum.Loss > _problem.Count * _problem.Delta * _problem.Delta)
            warnings.Add("Most errors are beyond delta, where they count linearly: standard errors, AICc and BIC, which take squares, are too small.");
        if (Condition > LargestCondition && _problem.Count > _problem.FreeCount)
            warnings.Add($"The Jacobian is ill-conditioned ({(double.IsFinite(Condition) ? Condition.ToString("e1", CultureInfo.InvariantCulture) : "singular")}): some combination of the parameters is not determined.");
        return warnings.ToImmutable();
    }

    /// <summary>A break with points on one side only, or none within it.</summary>
    private void OfBreak(int i, Points points, ImmutableArray<string>.Builder warnings)
    {
        // A law of one's own may speak of its breaks in other words.
        if (_problem.Law.NaturalIndices($"d{i + 1}") is not [int atD] || _problem.Law.NaturalIndices($"f{i + 1}") is not [int atF]) return;
        double d = Natural[atD], f = Natural[atF];
        double[] x = [.. points.X.ToArray().Distinct()];
        int before = x.Count(value => value <= d);
        string which = $"Break {i + 1}, at {d.ToString("g4", CultureInfo.InvariantCulture)},";
        int beyond = x.Length - before;
        if (before < 2) warnings.Add($"{which} lies at the first point: the data do not show the slope before it.");
        else if (beyond < PointsBeyondBreak)
            warnings.Add($"{which} has {beyond switch { 0 => "no point", 1 => "one point", _ => $"{beyond} points" }} beyond it; the forecast rests on {beyond switch { 0 => "none", 1 => "it", _ => "them" }}.");
        if (Segment.IsSharperThanGap(d, f, x)) warnings.Add($"{which} is sharper than the gap between the points around it: its place and width are not determined.");
    }

    private void OnBounds(ImmutableArray<string>.Builder warnings)
    {
        var on = new List<string>();
        int at = 0;
        foreach (Kernels.NaturalParameter parameter in _problem.Law.Parameters)
        {
            int count = parameter.PerBreak ? _problem.Law.Breaks : 1;
            for (int i = 0; i < count; i++)
            {
                int j = _problem.Law.CoordinateOf(at + i);
                if (j < 0 || IsFixed(j)) continue;
                double θ = _minimum.Parameters[j];
                if (θ > _problem.Lower[j] && θ < _problem.Upper[j]) continue;
                on.Add($"{parameter.Name}{(parameter.PerBreak ? $"{i + 1}" : "")} = {Natural[at + i].ToString("g4", CultureInfo.InvariantCulture)}");
            }

            at += count;
        }

        if (on.Count > 0) warnings.Add($"On the bound of its box: {string.Join(", ", on)}.");
    }
}
