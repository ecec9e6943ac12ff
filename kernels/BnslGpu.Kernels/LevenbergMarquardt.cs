using System.Runtime.CompilerServices;

namespace BnslGpu.Kernels;

/// <summary>Constants of the damped step, in the engine's coordinates for unit mean weight.</summary>
public static class Damping
{
    /// <summary>Least entry of the damping diagonal D = max(diag JᵀJ, floor): a parameter that the residual hardly feels still takes short steps.</summary>
    public const double Floor = 3;

    /// <summary>λ of the first step.</summary>
    public const double First = 0.03;

    /// <summary>Least λ; keeps JᵀJ + λD positive definite in float.</summary>
    public const double Least = 1e-7;

    /// <summary>λ at which a start is given up: its steps are rounding.</summary>
    public const double Most = 1e9;
}

/// <summary>One damped Gauss-Newton step for one candidate, in phases; over lanes, one for every lane.</summary>
/// <remarks>
/// <code>
/// Normal   [J r] at θ′, and N = [J r]ᵀ[J r], lower triangle: JᵀJ, then the row (Jᵀr, rᵀr)
/// Accept   where rᵀr fell: θ ← θ′, N ← N′, λ down by the gain ratio; elsewhere λ up; lanes that stand are done
/// Step     (JᵀJ + λ D) δ = −Jᵀr over the free parameters, θ′ = clamp(θ + δ)
/// </code>
/// Levenberg 1944, Marquardt 1963; λ by the ratio of actual to predicted gain; bounds by an active set: a parameter on its bound that the gradient
/// pushes outwards is held for the step, and the step is cut at the box. Phases are too long for the .NET compiler to inline
/// one into the other, which keeps what a phase needs in registers; a device inlines all, and sums rows in registers of its own (InRegisters).
/// </remarks>
/// <typeparam name="T">The number.</typeparam>
/// <typeparam name="TMask">Its mask.</typeparam>
/// <typeparam name="TLaw">The law.</typeparam>
/// <typeparam name="TLoss">The loss.</typeparam>
public static class LevenbergMarquardt<T, TMask, TLaw, TLoss>
    where T : struct, IReal<T, TMask>
    where TMask : struct
    where TLaw : struct, IScalingLaw
    where TLoss : struct, ILoss
{
    /// <summary>Points whose rows are made before they are summed: each sum is then loaded and stored once for all of them.</summary>
    private const int Tile = 4;

    /// <summary>Numbers a point takes: the law's columns, the target, the root of the weight.</summary>
    public static int Stride => TLaw.ColumnCount + 2;

    /// <summary>Numbers in the lower triangle of N.</summary>
    public static int NormalCount => (TLaw.ParameterCount + 1) * (TLaw.ParameterCount + 2) / 2;

    // rᵀr at which a start is given up. What is far out in the engine's coordinates need not be so in the units of a
    // law's own, where any residual or derivative will do whose square is a normal number.
    private static T MostLoss
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => T.Constant(TLaw.DampingFloor > 0 || T.Epsilon > 1e-10 ? 1e30 : 1e280);
    }

    /// <summary>The least pivot of a step; as for <see cref="MostLoss"/>, smaller for laws in units of their own.</summary>
    public static T LeastPivot
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => T.Constant(TLaw.DampingFloor > 0 ? T.Epsilon : T.Epsilon > 1e-10 ? 1e-36 : 1e-280);
    }

    /// <summary>Numbers in the scratch of <see cref="Normal"/> and <see cref="Step"/>.</summary>
    public static int ScratchCount => Math.Max(NormalCount, Tile * (TLaw.ParameterCount + 1)) + TLaw.WorkCount;

    /// <summary>Root-weighted residual of one point, and its row of the Jacobian.</summary>
    /// <param name="points">Shape [count, <see cref="Stride"/>].</param>
    /// <param name="i">Which point.</param>
    /// <param name="units">What the loss is told: see <see cref="ILoss"/>. Shape [2].</param>
    /// <param name="θ">Shape [p].</param>
    /// <param name="work">What the law prepared. Shape [law's WorkCount].</param>
    /// <param name="rows">Output, the row from <paramref name="row"/>; in registers, the gradient of the law's value.</param>
    /// <param name="row">Index of the row's first entry.</param>
    /// <param name="scale">∂(√w r)/∂value, by which the gradient becomes the row.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static T Row<TPoints, TArray, TGradient>(TPoints points, int i, TPoints units, TArray θ, TArray work, TGradient rows, int row, out T scale)
        where TPoints : struct, IArray<T>
        where TArray : struct, IArray<T>
        where TGradient : struct, IArray<T>
    {
        int point = i * Stride;
        T value = TLaw.Evaluate<T, TMask, TPoints, TArray, TGradient>(points, point, θ, work, rows, row), link = T.Constant(1);
        if (TLaw.IsLog && !TLoss.IsOfLog)
        {
            link = value = Functions.ExpClamped<T, TMask>(value);
        }
        else if (!TLaw.IsLog && TLoss.IsOfLog)
        {
            // Below 0 there is no logarithm: a residual that no step is accepted with.
            TMask positive = T.Less(-value, T.Constant(-1e-30));
            value = T.Select(positive, T.Log(T.Max(value, T.Constant(1e-30)), out T reciprocal), T.Constant(-1e6));
            link = T.Select(positive, reciprocal, T.Constant(0));
        }

        T r = TLoss.Residual<T, TMask, TPoints>(value, points[point, TLaw.ColumnCount], units, out T slope);
        if (!TLaw.IsLog && TLoss.IsOfLog) r = T.Select(T.Less(-value, T.Constant(1e5)), r, T.Constant(-1e6)); // a loss that cuts log y would not say so
        T rootWeight = points[point, TLaw.ColumnCount + 1];
        scale = slope * rootWeight;
        if (TLaw.IsLog != TLoss.IsOfLog) scale = scale * link;
        if (!TGradient.IsRegisters)
            for (int j = 0; j < TLaw.ParameterCount; j++) rows[row, j] = scale * rows[row, j];
        return r * rootWeight;
    }

    /// <summary>Σ w r², without derivatives.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static T Loss<TPoints, TArray>(TPoints points, int count, TPoints units, TArray θ, TArray work)
        where TPoints : struct, IArray<T>
        where TArray : struct, IArray<T>
    {
        TLaw.Prepare<T, TMask, TArray>(θ, work);
        T sum = T.Constant(0);
        for (int i = 0; i < count; i++)
        {
            T r = Row(points, i, units, θ, work, default(Nowhere<T>), 0, out _);
            sum = T.MultiplyAdd(r, r, sum);
        }

        return sum;
    }

    /// <summary>N = [J r]ᵀ[J r] at θ.</summary>
    /// <param name="points">Shape [count, <see cref="Stride"/>].</param>
    /// <param name="count">Number of points.</param>
    /// <param name="units">What the loss is told: see <see cref="ILoss"/>. Shape [2].</param>
    /// <param name="θ">Shape [p].</param>
    /// <param name="normal">Output. Shape [<see cref="NormalCount"/>], row by row.</param>
    /// <param name="work">Scratch. Shape [law's WorkCount].</param>
    /// <param name="rows">Scratch. Shape [Tile, p + 1].</param>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Normal<TPoints, TArray>(TPoints points, int count, TPoints units, TArray θ, TArray normal, TArray work, TArray rows)
        where TPoints : struct, IArray<T>
        where TArray : struct, IArray<T>
    {
        int p = TLaw.ParameterCount, width = p + 1;
        for (int m = 0; m < NormalCount; m++) normal[m] = T.Constant(0);
        TLaw.Prepare<T, TMask, TArray>(θ, work);
        for (int first = 0; first < count; first += Tile)
        {
            int tile = Math.Min(Tile, count - first);
            for (int i = 0; i < tile; i++)
                rows[(i * width) + p] = Row(points, first + i, units, θ, work, rows, i * width, out _);
            for (int m = tile * width; m < Tile * width; m++) rows[m] = T.Constant(0); // points that are not there add nothing
            AddTile(rows, normal);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void AddTile<TArray>(TArray rows, TArray normal)
        where TArray : struct, IArray<T>
    {
        // Two rows of N at a time, j and j + 1: what is loaded of the tile serves both, and there are half as many short loops to leave.
        int width = TLaw.ParameterCount + 1, j = 0, upper = 0;
        for (; j + 1 < width; j += 2)
        {
            int lower = upper + j + 1;
            T a0 = rows[j], a1 = rows[j, width], a2 = rows[j, 2 * width], a3 = rows[j, 3 * width];
            T b0 = rows[j, 1], b1 = rows[j, width + 1], b2 = rows[j, (2 * width) + 1], b3 = rows[j, (3 * width) + 1];
            for (int k = 0; k <= j; k++)
            {
                T c0 = rows[k], c1 = rows[k, width], c2 = rows[k, 2 * width], c3 = rows[k, 3 * width];
                T a = T.MultiplyAdd(a0, c0, normal[upper, k]), b = T.MultiplyAdd(b0, c0, normal[lower, k]);
                a = T.MultiplyAdd(a1, c1, a);
                b = T.MultiplyAdd(b1, c1, b);
                a = T.MultiplyAdd(a2, c2, a);
                b = T.MultiplyAdd(b2, c2, b);
                normal[upper, k] = T.MultiplyAdd(a3, c3, a);
                normal[lower, k] = T.MultiplyAdd(b3, c3, b);
            }

            T corner = T.MultiplyAdd(b1, b1, T.MultiplyAdd(b0, b0, normal[lower, j + 1]));
            normal[lower, j + 1] = T.MultiplyAdd(b3, b3, T.MultiplyAdd(b2, b2, corner));
            upper = lower + j + 2;
        }

        if (j == width) return;
        T r0 = rows[j], r1 = rows[j, width], r2 = rows[j, 2 * width], r3 = rows[j, 3 * width];
        for (int k = 0; k <= j; k++)
        {
            T a = T.MultiplyAdd(r1, rows[k, width], T.MultiplyAdd(r0, rows[k], normal[upper, k]));
            normal[upper, k] = T.MultiplyAdd(r3, rows[k, 3 * width], T.MultiplyAdd(r2, rows[k, 2 * width], a));
        }
    }

    /// <summary>Adds what priors say to N: a term k⁻¹ log(1 + k π (θ_j − m)²) a parameter, π (θ_j − m)² where k = 0.</summary>
    /// <remarks>
    /// k = 0 is a Gaussian with precision π. k = κ⁻¹/(ν + 1) and π = κ (ν + 1)/(ν σ²) is Student's t with ν degrees of freedom and scale σ, κ the
    /// variance of a residual of unit weight. The gradient is exact; the curvature is that of the reweighted square, which is never negative.
    /// </remarks>
    /// <param name="priors">m, π and k of every parameter. Shape [p, 3].</param>
    /// <param name="θ">Shape [p].</param>
    /// <param name="normal">N at θ.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddPriors<TPriors, TArray>(TPriors priors, TArray θ, TArray normal)
        where TPriors : struct, IArray<T>
        where TArray : struct, IArray<T>
    {
        int p = TLaw.ParameterCount, gradient = NormalCount - p - 1;
        for (int j = 0, diagonal = 0; j < p; j++, diagonal += j + 1)
        {
            T term = Prior(priors, θ, j, out T off, out T weight);
            normal[diagonal] = normal[diagonal] + weight;
            normal[gradient + j] = T.MultiplyAdd(weight, off, normal[gradient + j]);
            normal[gradient + p] = normal[gradient + p] + term;
        }
    }

    /// <summary>One parameter's prior term: see <see cref="AddPriors"/>.</summary>
    /// <param name="priors">Shape [p, 3].</param>
    /// <param name="θ">Shape [p].</param>
    /// <param name="j">Which parameter.</param>
    /// <param name="off">θ_j − m.</param>
    /// <param name="weight">π/(1 + k π (θ_j − m)²), the curvature.</param>
    public static T Prior<TPriors, TArray>(TPriors priors, TArray θ, int j, out T off, out T weight)
        where TPriors : struct, IArray<T>
        where TArray : struct, IArray<T>
    {
        T precision = priors[3 * j, 1];
        off = θ[j] - priors[3 * j];
        T square = precision * off * off, z = priors[3 * j, 2] * square;
        T log = T.Log(T.Constant(1) + z, out T inverse);
        weight = precision * inverse;

        // log(1 + z)/z, by its series where 1 + z loses z.
        T series = T.MultiplyAdd(z, T.MultiplyAdd(z, T.MultiplyAdd(z, T.Constant(-0.25), 1.0 / 3), -0.5), 1);
        T least = T.Constant(1e-3);
        return square * T.Select(T.Less(z, least), series, log / T.Max(z, least));
    }

    /// <summary>Makes one parameter follow another in N: TᵀNT, T the map in which they are the same.</summary>
    /// <param name="normal">N; what belongs to the follower is zero on return, so that a step leaves it where it is.</param>
    /// <param name="follower">The parameter that follows.</param>
    /// <param name="leader">The one that it follows.</param>
    public static void Tie<TArray>(TArray normal, int follower, int leader)
        where TArray : struct, IArray<T>
    {
        int p = TLaw.ParameterCount;
        T corner = normal[Index(follower, follower)], side = normal[Index(follower, leader)];
        normal[Index(leader, leader)] = normal[Index(leader, leader)] + side + side + corner;
        for (int k = 0; k <= p; k++)
        {
            if (k == leader) continue;
            if (k != follower) normal[Index(leader, k)] = normal[Index(leader, k)] + normal[Index(follower, k)];
            normal[Index(follower, k)] = T.Constant(0);
        }

        normal[Index(follower, leader)] = T.Constant(0);

        static int Index(int j, int k) => j < k ? (k * (k + 1) / 2) + j : (j * (j + 1) / 2) + k;
    }

    /// <summary>Takes the trial where it is better, and moves λ.</summary>
    /// <param name="θ">Accepted parameters. Shape [p].</param>
    /// <param name="normal">N there; its last entry is +∞ before the first trial.</param>
    /// <param name="trial">Trial parameters. Shape [p].</param>
    /// <param name="trialNormal">N there.</param>
    /// <param name="λ">Damping.</param>
    /// <param name="predicted">The fall in rᵀr that the last step promised.</param>
    /// <param name="tolerance">Relative fall below which a candidate stands.</param>
    /// <returns>Set where the candidate is done: promised and actual fall are below the tolerance, or no λ helps, or the start is not finite.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static TMask Accept<TArray>(TArray θ, TArray normal, TArray trial, TArray trialNormal, ref T λ, T predicted, T tolerance)
        where TArray : struct, IArray<T>
    {
        int last = NormalCount - 1;
        T before = normal[last], after = trialNormal[last];
        TMask accept = T.Less(after, before);
        T fall = before - after;

        // Nielsen 1999: λ·max(1/5, 1 − (2ρ − 1)³) after a fall, λ·4 otherwise.
        T ρ = fall / predicted;
        T t = T.MultiplyAdd(T.Constant(2), ρ, -1);
        T shrink = T.Min(T.Max(T.MultiplyAdd(-t * t, t, 1), T.Constant(0.2)), T.Constant(2));
        TMask first = T.Less(-before, -MostLoss);
        shrink = T.Select(first, T.Constant(1), shrink);
        λ = T.Max(λ * T.Select(accept, shrink, T.Constant(4)), T.Constant(Damping.Least));

        for (int j = 0; j < TLaw.ParameterCount; j++) θ[j] = T.Select(accept, trial[j], θ[j]);
        for (int m = 0; m <= last; m++) normal[m] = T.Select(accept, trialNormal[m], normal[m]);

        T best = T.Select(accept, after, before), small = tolerance * best;
        TMask stands = T.And(T.LessOrEqual(T.Abs(fall), small), T.LessOrEqual(predicted, small));
        stands = T.And(stands, T.LessOrEqual(λ, T.Constant(1)));
        TMask hopeless = T.Or(T.Less(-λ, T.Constant(-Damping.Most)), T.Less(-best, -MostLoss));
        return T.Or(stands, hopeless);
    }

    /// <summary>The next trial: solves (JᵀJ + λD)δ = −Jᵀr by LDLᵀ and cuts θ + δ at the box.</summary>
    /// <param name="θ">Accepted parameters. Shape [p].</param>
    /// <param name="normal">N there.</param>
    /// <param name="λ">Damping.</param>
    /// <param name="lower">Lower bounds. Shape [p].</param>
    /// <param name="upper">Upper bounds. Shape [p].</param>
    /// <param name="trial">Output. Shape [p].</param>
    /// <param name="factor">Scratch. Shape [<see cref="NormalCount"/>].</param>
    /// <returns>gᵀ(JᵀJ + λD)⁻¹g, g = Jᵀr: at most, and for small λ nearly, the fall in rᵀr that the linear model promises.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static T Step<TBounds, TArray>(TArray θ, TArray normal, T λ, TBounds lower, TBounds upper, TArray trial, TArray factor)
        where TBounds : struct, IArray<T>
        where TArray : struct, IArray<T>
    {
        int p = TLaw.ParameterCount, gradient = p * (p + 1) / 2;
        T zero = T.Constant(0), one = T.Constant(1), floor = T.Constant(TLaw.DampingFloor);

        // 1 where a parameter is free, 0 where the gradient pushes it out of its box; kept in trial until the step is known.
        for (int j = 0; j < p; j++)
        {
            T g = normal[gradient + j];
            TMask atLower = T.And(T.LessOrEqual(θ[j], lower[j]), T.Less(-g, zero));
            TMask atUpper = T.And(T.LessOrEqual(upper[j], θ[j]), T.Less(g, zero));
            trial[j] = T.Select(T.Or(atLower, atUpper), zero, one);
        }

        // The damped matrix, rows and columns of held parameters cut to a diagonal of 1; row p is the gradient.
        for (int j = 0, row = 0; j <= p; j++, row += j)
        {
            T free = j < p ? trial[j] : one;
            for (int k = 0; k < j; k++) factor[row + k] = normal[row + k] * (free * trial[k]);
            if (j == p) break;
            T diagonal = normal[row + j];
            factor[row + j] = T.Select(T.Less(-free, zero), T.MultiplyAdd(λ, T.Max(diagonal, floor), diagonal), one);
        }

        // LDLᵀ column by column: what column m explains leaves the rest at once, so that no sum waits for itself. trial holds the column of L.
        T promised = zero;
        for (int m = 0, diagonal = 0; m < p; m++, diagonal += m + 1)
        {
            T inverse = one / T.Max(factor[diagonal], LeastPivot);
            for (int j = m + 1, row = diagonal + 1; j < p; j++, row += j)
            {
                T v = factor[row + m]; // L_jm D_m
                trial[j] = v * inverse;
                for (int k = m + 1; k <= j; k++) factor[row, k] = T.MultiplyAdd(-v, trial[k], factor[row, k]);
                factor[row + m] = trial[j];
            }

            T last = factor[gradient + m];
            for (int k = m + 1; k < p; k++) factor[gradient, k] = T.MultiplyAdd(-last, trial[k], factor[gradient, k]);
            T l = last * inverse;
            promised = T.MultiplyAdd(last, l, promised);
            factor[gradient + m] = -l;
        }

        // Lᵀδ = −(row p of L).
        for (int j = p - 1, row = gradient - p; j >= 0; row -= j, j--)
        {
            T δ = factor[gradient + j];
            trial[j] = T.Max(T.Min(θ[j] + δ, upper[j]), lower[j]);
            for (int k = 0; k < j; k++) factor[gradient, k] = T.MultiplyAdd(-δ, factor[row, k], factor[gradient, k]);
        }

        return promised;
    }
}
